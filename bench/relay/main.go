// A path between two peers: carries their datagrams late and loses some, by a seed, the same for every kind of peer.
//
//	relay HOST DELAY LOSS SEED
//
// opens two ports at HOST and prints {"a": PORT, "b": PORT}: the peer B takes the first for A's address, A the second
// for B's. Lines "a HOST:PORT" and "b HOST:PORT" on standard input say where the peers are. DELAY is that of one way,
// as Go writes a duration; LOSS a share of all datagrams. It ends with standard input, and prints what it has carried.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	longest = 1 << 16
	// Bytes of the kernel's buffers: the path loses what it is told to, and nothing else.
	buffer = 8 << 20
	// Datagrams under way in one direction; 100 ms at 1.2 GB/s.
	underWay = 1 << 17
)

type datagram struct {
	due  time.Time
	data []byte
}

// side is where a peer's datagrams arrive, and from where the other one's are sent to it.
type side struct {
	socket *net.UDPConn
	peer   atomic.Pointer[netip.AddrPort]
}

var carried, lost, overrun atomic.Int64

func main() {
	delay, err := time.ParseDuration(os.Args[2])
	check(err)
	loss, err := strconv.ParseFloat(os.Args[3], 64)
	check(err)
	seed, err := strconv.ParseUint(os.Args[4], 10, 64)
	check(err)
	// A sends to what it takes for B, and hears from there.
	towardsA, towardsB := open(os.Args[1]), open(os.Args[1])
	go carry(towardsA, towardsB, delay, loss, rand.New(rand.NewPCG(seed, 0)))
	go carry(towardsB, towardsA, delay, loss, rand.New(rand.NewPCG(seed, 1)))
	say(map[string]any{"a": port(towardsB), "b": port(towardsA)})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		which, where, _ := strings.Cut(lines.Text(), " ")
		peer, err := netip.ParseAddrPort(where)
		check(err)
		if which == "a" {
			towardsA.peer.Store(&peer)
		} else {
			towardsB.peer.Store(&peer)
		}
	}
	say(map[string]any{"carried": carried.Load(), "lost": lost.Load(), "overrun": overrun.Load()})
}

func open(host string) *side {
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
	check(err)
	check(socket.SetReadBuffer(buffer))
	check(socket.SetWriteBuffer(buffer))
	return &side{socket: socket}
}

func port(s *side) uint16 {
	return s.socket.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// carry takes what a peer sends to one side and sends it on from the other, in its order.
func carry(from, to *side, delay time.Duration, loss float64, dice *rand.Rand) {
	way := make(chan datagram, underWay)
	go deliver(way, to)
	room := make([]byte, longest)
	for {
		length, _, err := from.socket.ReadFromUDPAddrPort(room)
		if err != nil {
			return
		}
		if dice.Float64() < loss {
			lost.Add(1)
			continue
		}
		select {
		case way <- datagram{time.Now().Add(delay), append([]byte(nil), room[:length]...)}:
		default:
			overrun.Add(1)
		}
	}
}

func deliver(way <-chan datagram, to *side) {
	for each := range way {
		time.Sleep(time.Until(each.due))
		if peer := to.peer.Load(); peer != nil {
			// What the network refuses is lost, as on any path.
			_, _ = to.socket.WriteToUDPAddrPort(each.data, *peer)
			carried.Add(1)
		}
	}
}

func say(line map[string]any) {
	check(json.NewEncoder(os.Stdout).Encode(line))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
