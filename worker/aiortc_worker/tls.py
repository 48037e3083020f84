"""TLS of the worker's own connections: to TURN servers, and to files over https."""

from __future__ import annotations

import functools
import logging
import os
import ssl
from contextvars import ContextVar

logger = logging.getLogger(__name__)

server_name: ContextVar[str | None] = ContextVar("server_name", default=None)
"Whose certificate is wanted on what a task connects to by the address alone; asyncio would take that for the name."


class ClientContext(ssl.SSLContext):
    """Heeds `server_name`: a name that was resolved and checked is not resolved once more, to something else."""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As SSLContext has it."""
        return super().wrap_bio(incoming, outgoing, server_side, server_name.get() or server_hostname, session)


@functools.cache
def client_context() -> ClientContext:
    """Trusts what the system does, or SSL_CERT_FILE and SSL_CERT_DIR; and as Node does, NODE_EXTRA_CA_CERTS besides."""
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    extra = os.environ.get("NODE_EXTRA_CA_CERTS")
    if extra:
        try:
            context.load_verify_locations(cafile=extra)
        except OSError as error:
            # Node, too, warns and goes on.
            logger.warning(
                "NODE_EXTRA_CA_CERTS is %s, which is ignored: %s", extra, error, extra={"kind": "certificates-ignored"}
            )
    return context
