#!/bin/sh
# For CI: renders fleet/ and pushes the result. A failed render pushes nothing.
set -eu
clusternet-capi-fn render fleet -o rendered.yaml
flux push artifact oci://ghcr.io/example/fleet:main -f rendered.yaml \
  --source="$(git config --get remote.origin.url)" --revision="main@sha1:$(git rev-parse HEAD)"
