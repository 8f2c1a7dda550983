#!/bin/sh
# Stands before the Python language host that find.py builds. That host is of an age in which the engine named the
# program's virtual environment by flags. The engine of today puts the options of Pulumi.yaml into its requests, where
# such a host does not look: it would install into the project's own folder, and run the `python3` of PATH.
set -eu
self=$(readlink -f "$0")
root=$PWD
while [ -n "$root" ] && [ ! -f "$root/Pulumi.yaml" ]; do root=${root%/*}; done
virtualenv=
if [ -n "$root" ]; then
  # The value without a comment and without quotes.
  virtualenv=$(
    sed -n "/^ *virtualenv: *[^ #]/{s/^[^:]*: *//;s/ #.*//;s/ *\$//;s/^[\"']\(.*\)[\"']\$/\1/;p;q;}" "$root/Pulumi.yaml"
  )
fi
exec "${self%/*}/python-language-host" ${virtualenv:+"-virtualenv=$virtualenv" "-root=$root"} "$@"
