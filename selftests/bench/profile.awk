# SPDX-License-Identifier: GPL-2.0
# profile.awk: the functions that a call spends its instructions in
#
# awk -v calls=LIST -v quiet=LIST -f symbols.awk -f profile.awk WINDOWS COUNTS SYMBOLS: what bench
# said of each window, what count.c saw, and the sorted symbols. LIST is of "CALL NODE", with
# commas; "CALL NODE - CALL NODE" is what the first costs more than the second. Of the windows of
# a call the one with the median of instructions counts.
#
# quiet: a table of how often these calls allocate and take locks, how much of their stack they
# write to, in lines of 64 bytes, and how many of their instructions are the module's own; all in the
# kernel.

BEGIN { n = 0 }
FILENAME == ARGV[1] { of[n] = $1 " " $2; wanted[n] = index(calls "," quiet, of[n]); n++; next }
FILENAME == ARGV[2] && $1 == "window" { now = $2; total[now] = $3; next }
FILENAME == ARGV[2] && $1 == "x" { if (wanted[now]) { at[now, ++ats[now]] = $2; times[now, $2] = $3 } next }
# Stacks are where the kernel maps what it allocates page by page.
FILENAME == ARGV[2] && $1 == "w" { stack[now] += $2 >= "ffffc90000000000" && $2 < "ffffe90000000000"; next }
FILENAME == ARGV[3] { symbol() }

function median(what,   i, j, k, own, t) {
	for (i = 0; i < n; i++)
		if (of[i] == what)
			own[++k] = i
	if (!k) {
		print "profile.awk: no window of " what >"/dev/stderr"
		failed = 1
		exit 1
	}
	for (i = 1; i <= k; i++)
		for (j = i + 1; j <= k; j++)
			if (total[own[j]] < total[own[i]]) { t = own[i]; own[i] = own[j]; own[j] = t }
	return own[int((k + 1) / 2)]
}

function add(what, sign,   w, i) {
	w = median(what)
	all += sign * total[w]
	for (i = 1; i <= ats[w]; i++) {
		cost[function_of(at[w, i])] += sign * times[w, at[w, i]]
		part[part_of(at[w, i])] += sign * times[w, at[w, i]]
	}
}

function show(what,   term, i, rest, functions) {
	split("", cost)
	split("", part)
	all = rest = functions = 0
	split(what, term, / - /)
	add(term[1], 1)
	if (term[2])
		add(term[2], -1)
	printf "%s\n%9d  in all: %d in Xen, %d in the kernel, %d in the module, %d in user space\n", what, all, \
		part["Xen"], part["kernel"], part["module"], part["user"]
	for (i in cost) {
		if (cost[i] * 100 >= all) {
			printf "%9d  %s\n", cost[i], i | "sort -k1,1nr -k2"
		} else if (cost[i]) {
			rest += cost[i]
			functions++
		}
	}
	close("sort -k1,1nr -k2")
	printf "%9d  in %d functions of less than 1%% each\n\n", rest, functions
}

# How often a function was entered whose name says that it allocates, or takes a lock.
function count(what,   w, i, name, allocations, locks, own) {
	w = median(what)
	allocations = locks = own = 0
	for (i = 1; i <= ats[w]; i++) {
		if (part_of(at[w, i]) == "module")
			own += times[w, at[w, i]]
		if (!is_entry(at[w, i]))
			continue
		name = function_of(at[w, i])
		if (name ~ /^Xen /)
			continue
		if (name ~ /kmalloc|kmem_cache_alloc|kvmalloc|vmalloc|^_*alloc_page|page_frag_alloc|pcpu_alloc/)
			allocations += times[w, at[w, i]]
		else if (name ~ /^_raw_.*_(try)?lock|mutex_(try)?lock|^down(_|$)|rwsem_down|queued_.*lock_slowpath|percpu_down/)
			locks += times[w, at[w, i]]
	}
	printf "%-30s %12d %12d %12d %12d\n", what, allocations, locks, 64 * stack[w], own
}

END {
	if (failed)
		exit 1
	k = split(quiet, list, /,[ \t\n]*/)
	printf "%-30s %12s %12s %12s %12s\n", "call", "allocations", "locks", "stack bytes", "module"
	for (c = 1; c <= k; c++)
		count(list[c])
	print ""
	k = split(calls, list, /,[ \t\n]*/)
	for (c = 1; c <= k; c++)
		show(list[c])
}
