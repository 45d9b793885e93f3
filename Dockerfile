# Three stages: `build` fills a virtual environment, `proxy` is Caddy without privileges, `application` is the server.
# web, worker and migrate of docker-compose.yml are one image, `application`, with three commands.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONSAFEPATH=1
RUN python -m venv /opt/cat-engine
WORKDIR /source
COPY requirements/runtime.txt requirements/runtime.txt
RUN /opt/cat-engine/bin/pip install --require-hashes --only-binary=:all: --requirement requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY psychometrics psychometrics
COPY cat_engine cat_engine
COPY item_bank item_bank
COPY web web
RUN /opt/cat-engine/bin/pip install --no-deps --no-build-isolation --no-index . \
    && /opt/cat-engine/bin/python -m compileall -q /opt/cat-engine/lib

FROM caddy:2-alpine AS proxy
# The ports inside are above 1024, so the program gives up the capability its file carries and any user may run it.
RUN setcap -r /usr/bin/caddy && chown -R 10001:10001 /data /config
COPY docs/deployment/Caddyfile /etc/caddy/Caddyfile
USER 10001:10001

FROM python:3.13-slim AS application
# No folder of the place one stands in is searched for modules: a stray ./web cannot stand in for ours.
ENV PATH=/opt/cat-engine/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    CAT_ENGINE_DATA_DIRECTORY=/var/lib/cat-engine
RUN groupadd --gid 10001 cat-engine \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/cat-engine --shell /usr/sbin/nologin cat-engine \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/cat-engine
COPY --from=build /opt/cat-engine /opt/cat-engine
USER 10001:10001
WORKDIR /var/lib/cat-engine
VOLUME /var/lib/cat-engine
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["cat-engine"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
