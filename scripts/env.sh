# Build settings of the whole project, in one place. The Makefile reads this file;
# in a shell:  . scripts/env.sh
#
#   extlib,pkgconfig  x264c links the system's libx264 (with its assembly) instead of its bundled C
#   nolibopusfile     hraban/opus without libopusfile, which nothing here needs
#
# The version is stamped by the Makefile, so go need not ask git, which refuses to answer in
# checkouts of another user.
export GOFLAGS="-buildvcs=false -tags=extlib,pkgconfig,nolibopusfile"
