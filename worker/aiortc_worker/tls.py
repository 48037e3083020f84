"""TLS of the worker's own connections: to TURN servers, and to files over https."""

from __future__ import annotations

import functools
import logging
import os
import ssl

logger = logging.getLogger(__name__)


@functools.cache
def client_context() -> ssl.SSLContext:
    """Trusts what the system does, or SSL_CERT_FILE and SSL_CERT_DIR; and as Node does, NODE_EXTRA_CA_CERTS besides."""
    context = ssl.create_default_context()
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
