import sys

sys.stdout.write("the image's own sitecustomize ran\n")
