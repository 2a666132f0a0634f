# SPDX-License-Identifier: GPL-2.0
# symbols.awk: which function an address is in
#
# Reads /proc/kallsyms and /proc/xen/xensyms, sorted by address as text; the main program
# calls symbol() for each line and function_of() afterwards.

function symbol() {
	if ($2 !~ /^[tTwW]$/)
		return
	symbol_at[++symbols] = $1
	symbol_is[symbols] = ($1 < "ffff880000000000" ? "Xen " : "") $3
	symbol_part[symbols] = $1 < "ffff880000000000" ? "Xen" : $4 == "[dmop_privcmd]" ? "module" : "kernel"
}

# What is between two symbols belongs to the first of them. Return: which; 0: user space
function symbol_of(address,   low, high, middle) {
	if (address in known)
		return known[address]
	if (address < "0000800000000000")
		return known[address] = 0
	low = 1
	high = symbols
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (symbol_at[middle] <= address)
			low = middle
		else
			high = middle - 1
	}
	return known[address] = low
}

function function_of(address,   i) {
	i = symbol_of(address)
	return i ? symbol_is[i] : "(user space)"
}

# Return: user, Xen, kernel or module
function part_of(address,   i) {
	i = symbol_of(address)
	return i ? symbol_part[i] : "user"
}

# Is it the first instruction of a function?
function is_entry(address) {
	if (!entries)
		for (entries = 1; entries <= symbols; entries++)
			entry[symbol_at[entries]]
	return address in entry
}
