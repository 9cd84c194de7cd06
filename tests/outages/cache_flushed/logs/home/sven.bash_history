#1795461173
cd /srv/timetable
#1795461181
grep -c "line:" <(memcdump --servers=localhost)
#1795461189
echo flush_all | nc -q1 localhost 11211
#1795461218
memcstat --servers=localhost | grep curr_items
