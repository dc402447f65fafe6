i=0
while true; do i=$((i+1)); timeout -s KILL 0.0$((20 + i % 60)) python3 -c pass; done 2>/dev/null
