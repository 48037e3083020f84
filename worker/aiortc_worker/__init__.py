"""The worker of aiortc-shim: sessions of WebRTC transports, RTP and media over aiortc."""
