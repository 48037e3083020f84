// Pion's end of a connection: does what lines of JSON on standard input ask for (driver/protocol.ts has the protocol).
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const (
	lowMark  = 512 << 10
	highMark = 1 << 20

	receiveBuffer = 16 << 20
)

type ask struct {
	ID        int                      `json:"id"`
	Do        string                   `json:"do"`
	Lite      bool                     `json:"lite"`
	Restart   bool                     `json:"restart"`
	SDP       string                   `json:"sdp"`
	Candidate *webrtc.ICECandidateInit `json:"candidate"`
	Label     string                   `json:"label"`
	Text      *string                  `json:"text"`
	Base64    string                   `json:"base64"`
	Count     int                      `json:"count"`
	Bytes     int                      `json:"bytes"`
	Kind      string                   `json:"kind"`
	Codec     string                   `json:"codec"`
}

type message struct {
	Label  string `json:"label"`
	Type   string `json:"type"`
	Bytes  int    `json:"bytes"`
	Digest string `json:"digest"`
}

// end is one connection, from open to close.
type end struct {
	connection *webrtc.PeerConnection
	stop       chan struct{}

	lock       sync.Mutex
	channels   map[string]*webrtc.DataChannel
	messages   []message
	flood      struct{ Count, Bytes int }
	sent       map[string]int
	received   map[string]int
	recordings map[string]string
	senders    map[string]*webrtc.RTPSender
}

var (
	current *end
	output  sync.Mutex
	opened  int
)

func main() {
	say(map[string]any{"event": "ready", "version": version()})
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked ask
		if err := json.Unmarshal(line, &asked); err != nil {
			log.Fatal(err)
		}
		if asked.Do == "flood" {
			go answer(asked)
		} else {
			answer(asked)
		}
	}
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/pion/webrtc/v4" {
			return module.Version
		}
	}
	return "?"
}

func say(line any) {
	output.Lock()
	defer output.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func answer(asked ask) {
	out, err := do(asked)
	if out == nil {
		out = map[string]any{}
	}
	if err != nil {
		out = map[string]any{"error": err.Error()}
	}
	out["id"] = asked.ID
	say(out)
}

func do(asked ask) (map[string]any, error) {
	if asked.Do == "open" {
		opened, err := open(asked.Lite)
		current = opened
		return nil, err
	}
	switch asked.Do {
	case "offer":
		return current.offer(asked.Restart)
	case "answer":
		return current.answer(asked.SDP)
	case "accept":
		return nil, current.describe(webrtc.SDPTypeAnswer, asked.SDP)
	case "candidate":
		if asked.Candidate == nil {
			return nil, nil
		}
		return nil, current.connection.AddICECandidate(*asked.Candidate)
	case "channel":
		channel, err := current.connection.CreateDataChannel(asked.Label, nil)
		if err == nil {
			current.adopt(channel)
		}
		return nil, err
	case "send":
		return nil, current.send(asked)
	case "flood":
		return nil, current.sendFlood(asked)
	case "media":
		return nil, current.addMedia(asked.Kind, asked.Codec)
	case "unmedia":
		return nil, current.connection.RemoveTrack(current.senders[asked.Kind])
	case "report":
		return current.report(), nil
	case "close":
		close(current.stop)
		return nil, current.connection.Close()
	}
	return nil, fmt.Errorf("no such thing to do: %s", asked.Do)
}

func open(lite bool) (*end, error) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.To4() != nil && ip.IsLoopback() })
	settings.SetLite(lite)
	// Pion announces that it takes messages of 1 GiB, and by default has room for 1 MiB: a larger one hangs there.
	settings.SetSCTPMaxReceiveBufferSize(receiveBuffer)
	connection, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	opened++
	made := &end{
		connection: connection,
		stop:       make(chan struct{}),
		channels:   map[string]*webrtc.DataChannel{},
		messages:   []message{},
		sent:       map[string]int{},
		received:   map[string]int{},
		recordings: map[string]string{},
		senders:    map[string]*webrtc.RTPSender{},
	}
	connection.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			say(map[string]any{"event": "candidate", "candidate": nil})
			return
		}
		say(map[string]any{"event": "candidate", "candidate": candidate.ToJSON()})
	})
	connection.OnDataChannel(made.adopt)
	connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { made.record(track) })
	return made, nil
}

func (e *end) offer(restart bool) (map[string]any, error) {
	offer, err := e.connection.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return nil, err
	}
	return e.applied(offer)
}

func (e *end) answer(sdp string) (map[string]any, error) {
	if err := e.describe(webrtc.SDPTypeOffer, sdp); err != nil {
		return nil, err
	}
	answer, err := e.connection.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	return e.applied(answer)
}

func (e *end) applied(description webrtc.SessionDescription) (map[string]any, error) {
	if err := e.connection.SetLocalDescription(description); err != nil {
		return nil, err
	}
	return map[string]any{"sdp": e.connection.LocalDescription().SDP}, nil
}

func (e *end) describe(kind webrtc.SDPType, sdp string) error {
	return e.connection.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp})
}

func (e *end) adopt(channel *webrtc.DataChannel) {
	e.lock.Lock()
	defer e.lock.Unlock()
	label := channel.Label()
	e.channels[label] = channel
	channel.OnMessage(func(came webrtc.DataChannelMessage) {
		e.lock.Lock()
		defer e.lock.Unlock()
		if label == "flood" {
			e.flood.Count++
			e.flood.Bytes += len(came.Data)
			return
		}
		kind := "binary"
		if came.IsString {
			kind = "text"
		}
		digest := sha256.Sum256(came.Data)
		e.messages = append(e.messages, message{label, kind, len(came.Data), hex.EncodeToString(digest[:])})
	})
}

func (e *end) channel(label string) *webrtc.DataChannel {
	e.lock.Lock()
	defer e.lock.Unlock()
	return e.channels[label]
}

func (e *end) send(asked ask) error {
	if asked.Text != nil {
		return e.channel(asked.Label).SendText(*asked.Text)
	}
	bytes, err := base64.StdEncoding.DecodeString(asked.Base64)
	if err != nil {
		return err
	}
	return e.channel(asked.Label).Send(bytes)
}

func (e *end) sendFlood(asked ask) error {
	channel := e.channel(asked.Label)
	low := make(chan struct{}, 1)
	channel.SetBufferedAmountLowThreshold(lowMark)
	channel.OnBufferedAmountLow(func() {
		select {
		case low <- struct{}{}:
		default:
		}
	})
	piece := make([]byte, asked.Bytes)
	for range asked.Count {
		if channel.BufferedAmount() > highMark {
			<-low
		}
		if err := channel.Send(piece); err != nil {
			return err
		}
	}
	return nil
}

func (e *end) addMedia(kind, codec string) error {
	mime, file, clock := webrtc.MimeTypeOpus, "opus.rec", time.Millisecond*20
	if kind == "video" {
		mime, file, clock = webrtc.MimeTypeVP8, "vp8.rec", time.Second/30
	}
	if codec == "H264" {
		mime, file = webrtc.MimeTypeH264, "h264.rec"
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime}, kind, "interop")
	if err != nil {
		return err
	}
	samples, err := readRecords(os.Getenv("INTEROP_MEDIA") + "/" + file)
	if err != nil {
		return err
	}
	sender, err := e.connection.AddTrack(track)
	if err != nil {
		return err
	}
	e.senders[kind] = sender
	if err := e.prefer(sender, mime); err != nil {
		return err
	}
	go e.play(kind, track, samples, clock)
	go func() {
		// Interceptors handle RTCP while it is read.
		buffer := make([]byte, 1500)
		for {
			if _, _, err := sender.Read(buffer); err != nil {
				return
			}
		}
	}()
	return nil
}

// Of video, one codec is negotiated: the one that the scenario wants.
func (e *end) prefer(sender *webrtc.RTPSender, mime string) error {
	for _, transceiver := range e.connection.GetTransceivers() {
		if transceiver.Sender() != sender || transceiver.Kind() != webrtc.RTPCodecTypeVideo {
			continue
		}
		var wanted []webrtc.RTPCodecParameters
		for _, codec := range sender.GetParameters().Codecs {
			if codec.MimeType == mime {
				wanted = append(wanted, codec)
			}
		}
		return transceiver.SetCodecPreferences(wanted)
	}
	return nil
}

func (e *end) play(kind string, track *webrtc.TrackLocalStaticSample, samples [][]byte, duration time.Duration) {
	ticker := time.NewTicker(duration)
	defer ticker.Stop()
	// From a keyframe on, once somebody can receive it.
	for at := 0; ; {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
		}
		if e.connection.ConnectionState() != webrtc.PeerConnectionStateConnected {
			continue
		}
		if err := track.WriteSample(media.Sample{Data: samples[at%len(samples)], Duration: duration}); err != nil {
			return
		}
		at++
		e.lock.Lock()
		e.sent[kind]++
		e.lock.Unlock()
	}
}

func readRecords(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var records [][]byte
	for {
		var length [4]byte
		if _, err := io.ReadFull(reader, length[:]); errors.Is(err, io.EOF) {
			return records, nil
		} else if err != nil {
			return nil, err
		}
		record := make([]byte, int(length[0])|int(length[1])<<8|int(length[2])<<16|int(length[3])<<24)
		if _, err := io.ReadFull(reader, record); err != nil {
			return nil, err
		}
		records = append(records, record)
	}
}

func (e *end) report() map[string]any {
	e.lock.Lock()
	defer e.lock.Unlock()
	states := map[string]string{}
	for label, channel := range e.channels {
		states[label] = channel.ReadyState().String()
	}
	report := map[string]any{
		"connection": e.connection.ConnectionState().String(),
		"channels":   states,
		"messages":   e.messages,
		"flood":      map[string]int{"count": e.flood.Count, "bytes": e.flood.Bytes},
		"sent":       e.sent,
		"received":   e.received,
		"recordings": e.recordings,
	}
	if sctp := e.connection.SCTP(); sctp != nil && sctp.GetCapabilities().MaxMessageSize > 0 {
		report["maxMessageSize"] = sctp.GetCapabilities().MaxMessageSize
	}
	return report
}
