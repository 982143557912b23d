#!/bin/sh
# R and the packages that the golden values in crates/*/tests/golden/*.R come from (Debian, Ubuntu).
# The versions that made the checked-in values stand at the head of each script.
set -eu
as_root=$([ "$(id -u)" = 0 ] || echo sudo)
$as_root apt-get update
$as_root apt-get install -y --no-install-recommends \
    r-base-core r-cran-survival r-cran-glmnet r-cran-proc r-cran-rms
Rscript -e 'for (p in c("survival", "glmnet", "pROC", "rms")) cat(p, format(packageVersion(p)), "\n")'
