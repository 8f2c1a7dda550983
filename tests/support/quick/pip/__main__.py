import sys

if sys.argv[1:2] != ["list"]:
    sys.exit(f"not a whole pip, it only lists nothing: {sys.argv[1:]}")
print("[]")
