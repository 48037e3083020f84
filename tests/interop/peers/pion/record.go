package main

import (
	"encoding/binary"
	"fmt"
	"os"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
)

// record writes the frames of a track to a file, for the driver to decode: Pion has no codecs.
func (e *end) record(track *webrtc.TrackRemote) {
	kind := track.Kind().String()
	path := fmt.Sprintf("%s/pion-%d-%d-%s.rec", os.Getenv("INTEROP_MEDIA"), os.Getpid(), opened, track.ID())
	file, err := os.Create(path)
	if err != nil {
		return
	}
	defer file.Close()
	e.lock.Lock()
	e.recordings[kind] = path
	e.lock.Unlock()
	var depacketizer rtp.Depacketizer
	switch track.Codec().MimeType {
	case webrtc.MimeTypeVP8:
		depacketizer = &codecs.VP8Packet{}
		e.note("codec", "VP8")
	case webrtc.MimeTypeH264:
		depacketizer = &codecs.H264Packet{}
		e.note("codec", "H264")
	default:
		depacketizer = &codecs.OpusPacket{}
	}
	builder := samplebuilder.New(100, depacketizer, track.Codec().ClockRate)
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		builder.Push(packet)
		for sample := builder.Pop(); sample != nil; sample = builder.Pop() {
			_ = binary.Write(file, binary.LittleEndian, uint32(len(sample.Data)))
			_, _ = file.Write(sample.Data)
			e.lock.Lock()
			e.received[kind]++
			e.lock.Unlock()
		}
	}
}

func (e *end) note(name, value string) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.recordings[name] = value
}
