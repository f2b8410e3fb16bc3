# The function's image: an interpreter, the two libraries it needs, the package; no shell, no package manager, no pip.
#
#   docker build --tag clusternet-capi-fn:v0.1.0 .
#
# A release names the base by digest: --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# Times in the wheel and of the files, so that the same source gives the same image.
ARG SOURCE_DATE_EPOCH=1767225600
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/ requirements/
RUN python3 -m pip install --quiet --require-hashes --no-deps --only-binary :all: --requirement requirements/build.txt \
 && python3 -m pip install --quiet --require-hashes --no-deps --only-binary :all: --no-compile --target /packages \
      --requirement requirements/runtime.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY krm_fn/ krm_fn/
RUN python3 -m hatchling build --target wheel \
 && python3 -m pip install --quiet --no-deps --no-index --find-links dist --no-compile --target /packages clusternet-capi-fn
COPY .ci/image/ .ci/image/
RUN python3 .ci/image/assemble.py --packages /packages --root /rootfs

FROM scratch
ARG VERSION=v0.1.0
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="clusternet-capi-fn" \
      org.opencontainers.image.description="KRM function that registers Cluster API clusters with Clusternet through Git" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /rootfs/ /
ENV PATH=/usr/local/bin LANG=C.UTF-8
# nobody, by number, so that Kubernetes' runAsNonRoot can tell
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/clusternet-capi-fn"]
