//go:build !(extlib && pkgconfig && nolibopusfile)

package buildtags

// This does not compile, on purpose: set the tags with ". scripts/env.sh", or use make.
var _ = build_tags_are_missing_SEE_scripts_env_sh
