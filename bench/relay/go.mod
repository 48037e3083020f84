module aiortc-shim/bench/relay

go 1.23
