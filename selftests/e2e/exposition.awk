# Is this Prometheus's text format, as strictly as it can be taken? Says what is not.
function bad(why) { print FILENAME ":" FNR ": " why ": " $0; failed = 1 }
BEGIN {
	name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
	label = "[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[\"\\\\n])*\""
	sample = "^" name "([{]" label "(," label ")*[}])? [0-9.e+-]+$"
}
/[^ -~]/ { bad("not printable"); next }
/^# HELP / {
	if (seen[$3]++) bad("a family twice")
	if (NF < 4) bad("no text")
	helped = $3
	family = ""
	next
}
/^# TYPE / {
	if ($3 != helped) bad("TYPE without its HELP")
	if ($4 !~ /^(counter|gauge)$/ || NF != 4) bad("not a type")
	if (($4 == "counter") != ($3 ~ /_total$/)) bad("not how a " $4 " is called")
	family = $3
	families++
	next
}
$0 !~ sample { bad("not a sample"); next }
{
	match($0, "^" name)
	if (substr($0, 1, RLENGTH) != family) bad("not of this family")
	key = $0
	sub(/ [^ ]*$/, "", key)
	if (samples[key]++) bad("a sample twice")
}
END {
	if (!families) { print "nothing there"; failed = 1 }
	exit failed
}
