#!/bin/sh
# Stands before the Python language host that find.py builds. That host is of an age in which the engine named the
# program's virtual environment by flags. The engine of today puts the options of Pulumi.yaml into its requests, where
# such a host does not look: it would install into the project's own folder, and run the `python3` of PATH.
set -eu
self=$(readlink -f "$0")
host=${self%/*}/python-language-host
root=$PWD
while [ -n "$root" ] && [ ! -f "$root/Pulumi.yaml" ]; do root=${root%/*}; done
[ -n "$root" ] || exec "$host" "$@"
# The value without a comment and without quotes.
virtualenv=$(
  sed -n "/^ *virtualenv: *[^ #]/{s/^[^:]*: *//;s/ #.*//;s/ *\$//;s/^[\"']\(.*\)[\"']\$/\1/;p;q;}" "$root/Pulumi.yaml"
)
[ -n "$virtualenv" ] || exec "$host" "$@"
case ${PULUMI_PYTHON_CMD:-} in
*/*) # the host would look for this path within the virtual environment
  PATH=${PULUMI_PYTHON_CMD%/*}:$PATH
  unset PULUMI_PYTHON_CMD
  ;;
esac
exec "$host" "-virtualenv=$virtualenv" "-root=$root" "$@"
