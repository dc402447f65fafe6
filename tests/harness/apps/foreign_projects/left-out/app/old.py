print "in the image, and never run"
