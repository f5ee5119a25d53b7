# syntax=docker/dockerfile:1
# The team server. The image runs as user 65532, needs no write access but to /state and /tmp, and has no shell scripts.
FROM python:3.13-slim-trixie AS build
COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/mailgun-mcp
WORKDIR /src
# Dependencies first: they change less often than the package.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-install-project --extra auth --extra metrics --extra postgres
COPY mailgun_mcp ./mailgun_mcp
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-editable --extra auth --extra metrics --extra postgres

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="mailgun-mcp" \
      org.opencontainers.image.description="Every Mailgun operation as a typed, guarded MCP tool" \
      org.opencontainers.image.licenses="Apache-2.0" \
      io.modelcontextprotocol.server.name="io.github.mailgun-mcp/mailgun-mcp"
COPY --from=build /opt/mailgun-mcp /opt/mailgun-mcp
# A new volume on /state takes this directory's owner.
RUN install --directory --owner=65532 --group=65532 --mode=700 /state
ENV PATH=/opt/mailgun-mcp/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    XDG_CONFIG_HOME=/etc \
    MAILGUN_MCP_HOST=0.0.0.0 \
    MAILGUN_MCP_PORT=8000 \
    MAILGUN_MCP_STATE=/state \
    MAILGUN_MCP_TRANSPORT=http
USER 65532:65532
WORKDIR /tmp
VOLUME ["/state"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["mailgun-mcp", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["mailgun-mcp"]
CMD ["serve"]
