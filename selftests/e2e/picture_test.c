// SPDX-License-Identifier: GPL-2.0
/*
 * picture_test.c - what QEMU shows is what the guest has drawn
 *
 * DMOP_QMP is the socket of a QEMU whose guest is selftests/guest/hvm.c and has said
 * that it is ready; the picture is left in DMOP_PICTURE, as PNG.
 *
 * QEMU is in an empty root with no right to write, so it is given a file to write
 * the picture to. It has to be a file, for QEMU wants to truncate it.
 */
#include "../dmop_test.h"

#include <sys/un.h>

#define WIDTH	640
#define HEIGHT	400
#define PIXEL	3
#define ROW	(WIDTH * PIXEL)

/* Where the guest has put text on the background. */
#define TEXT_TOP	184
#define TEXT_BOTTOM	224

static unsigned char picture[HEIGHT][ROW];

/* --- QMP --------------------------------------------------------------- */

/* Reads lines until one says NEEDLE; false if QEMU says "error", or nothing more. */
static bool wait_for(FILE *qmp, const char *needle)
{
	char line[4096];

	while (fgets(line, sizeof(line), qmp)) {
		if (strstr(line, needle))
			return true;
		if (strstr(line, "\"error\"")) {
			ksft_print_msg("QEMU: %s", line);
			return false;
		}
	}
	return false;
}

static bool command(FILE *qmp, int sock, const char *text)
{
	return write(sock, text, strlen(text)) == (ssize_t)strlen(text) &&
	       wait_for(qmp, "\"return\"");
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof(address))) {
		close(sock);
		return -1;
	}
	return sock;
}

/* A descriptor goes with the first byte of a command, here a blank before it. */
static bool add_fd(FILE *qmp, int sock, int fd)
{
	return !send_fd(sock, fd) &&
	       command(qmp, sock, "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":1}}\n");
}

/* A PPM of the one size that is expected. */
static bool read_picture(FILE *in)
{
	int width, height, max;

	return fscanf(in, "P6 %d %d %d", &width, &height, &max) == 3 &&
	       width == WIDTH && height == HEIGHT && max == 255 &&
	       fgetc(in) == '\n' && fread(picture, sizeof(picture), 1, in) == 1;
}

/* --- PNG --------------------------------------------------------------- */

/*
 * As simple as PNG can be: pixels not compressed, one row a block. What is
 * written is big-endian, but for the sizes of blocks.
 */

static __u32 crc;

static void put(FILE *out, const void *data, size_t size)
{
	const unsigned char *p = data;
	size_t i;
	int bit;

	for (i = 0; i < size; i++) {
		crc ^= p[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	fwrite(data, size, 1, out);
}

static void put32(FILE *out, __u32 n)
{
	unsigned char bytes[] = { n >> 24, n >> 16, n >> 8, n };

	put(out, bytes, sizeof(bytes));
}

static void begin_chunk(FILE *out, const char *type, __u32 size)
{
	put32(out, size);
	crc = ~0U;
	put(out, type, 4);
}

static void end_chunk(FILE *out)
{
	put32(out, ~crc);
}

static void adler(__u32 *a, __u32 *b, const unsigned char *p, size_t size)
{
	for (; size; size--, p++) {
		*a = (*a + *p) % 65521;
		*b = (*b + *a) % 65521;
	}
}

static void put_rows(FILE *out)
{
	__u32 a = 1, b = 0;
	int y;

	put(out, "\x78\x01", 2);
	for (y = 0; y < HEIGHT; y++) {
		unsigned int size = 1 + ROW;
		unsigned char row[1 + ROW] = { };
		unsigned char head[] = {
			y == HEIGHT - 1, size, size >> 8, ~size, ~size >> 8,
		};

		memcpy(row + 1, picture[y], ROW);
		put(out, head, sizeof(head));
		put(out, row, size);
		adler(&a, &b, row, size);
	}
	put32(out, b << 16 | a);
}

static bool write_png(const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return false;
	put(out, "\x89PNG\r\n\x1a\n", 8);
	begin_chunk(out, "IHDR", 13);
	put32(out, WIDTH);
	put32(out, HEIGHT);
	put(out, "\x08\x02\0\0\0", 5);
	end_chunk(out);
	begin_chunk(out, "IDAT", 2 + HEIGHT * (5 + 1 + ROW) + 4);
	put_rows(out);
	end_chunk(out);
	begin_chunk(out, "IEND", 0);
	end_chunk(out);
	return !fclose(out);
}

/* --- tests ------------------------------------------------------------- */

/* As in selftests/guest/hvm.c. */
static bool is_background(int x, int y)
{
	const unsigned char *p = &picture[y][x * PIXEL];

	return p[0] == x * 255 / (WIDTH - 1) && p[1] == y * 255 / (HEIGHT - 1) && p[2] == 0x60;
}

/* Return: pixels that are not background, between two rows. */
static unsigned int others(int top, int bottom)
{
	unsigned int n = 0;
	int x, y;

	for (y = top; y < bottom; y++)
		for (x = 0; x < WIDTH; x++)
			n += !is_background(x, y);
	return n;
}

TEST(the_picture_is_the_guests)
{
	int sock = connect_to(getenv("DMOP_QMP")), fd = memfd_create("picture", MFD_CLOEXEC);
	int for_writing;
	char path[64];
	FILE *qmp, *in;

	/* QEMU takes one that is open for writing alone. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for_writing = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, for_writing);
	ASSERT_LE(0, sock);
	qmp = fdopen(sock, "r");
	ASSERT_NE(NULL, qmp);
	ASSERT_TRUE(wait_for(qmp, "\"QMP\""));
	ASSERT_TRUE(command(qmp, sock, "{\"execute\":\"qmp_capabilities\"}\n"));
	ASSERT_TRUE(add_fd(qmp, sock, for_writing));
	ASSERT_TRUE(command(qmp, sock, "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/dev/fdset/1\"}}\n"));
	ASSERT_TRUE(command(qmp, sock, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":1}}\n"));
	in = fdopen(fd, "r");
	ASSERT_NE(NULL, in);
	ASSERT_TRUE(read_picture(in));

	EXPECT_TRUE(write_png(getenv("DMOP_PICTURE")));
	EXPECT_EQ(0, others(0, TEXT_TOP));
	/* Letters are there, and they leave most of the background. */
	EXPECT_LT(500, others(TEXT_TOP, TEXT_BOTTOM));
	EXPECT_GT(WIDTH * (TEXT_BOTTOM - TEXT_TOP) / 2, others(TEXT_TOP, TEXT_BOTTOM));
	EXPECT_EQ(0, others(TEXT_BOTTOM, HEIGHT));
	fclose(in);
	fclose(qmp);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!getenv("DMOP_QMP") || !getenv("DMOP_PICTURE")) {
		ksft_print_header();
		ksft_exit_skip("set DMOP_QMP to QEMU's socket and DMOP_PICTURE to a file\n");
	}
	return test_harness_run(argc, argv);
}
