# SPDX-License-Identifier: GPL-2.0
# shared.awk: the lines of memory that two processors write to at each call
#
# awk -f symbols.awk -f shared.awk WINDOWS COUNTS SYMBOLS: what scale said of each window, what
# count.c saw, and the sorted symbols. What a process writes in its own memory is not meant.

BEGIN { n = 0 }
FILENAME == ARGV[1] {
	cpu[n] = $1
	sub(/^[01] /, "")
	if (!($0 in windows))
		what[++cases] = $0
	windows[$0]++
	of[n++] = $0
	next
}
FILENAME == ARGV[2] && $1 == "window" { now = $2; next }
FILENAME == ARGV[2] && $1 == "w" && $2 >= "0000800000000000" {
	if (!seen[of[now], cpu[now], $2]++ && cpu[now] == 0)
		lines[of[now], ++count[of[now]]] = $2
	writer[of[now], $2] = $3
	next
}
FILENAME == ARGV[3] { symbol() }

END {
	for (c = 1; c <= cases; c++) {
		name = what[c]
		each = windows[name] / 2
		split("", shared)
		kernel = xen = 0
		for (i = 1; i <= count[name]; i++) {
			line = lines[name, i]
			if (seen[name, 0, line] < each || seen[name, 1, line] < each)
				continue
			where = function_of(writer[name, line])
			shared[where]++
			if (where ~ /^Xen /)
				xen++
			else
				kernel++
		}
		printf "%-40s %d of the kernel, %d of Xen\n", name, kernel, xen
		for (where in shared)
			printf "%9d  %s\n", shared[where], where | "sort -k2"
		close("sort -k2")
	}
}
