package preprocess

import (
	"bytes"
	"encoding/binary"
)

// upright is the orientation that needs no turning.
const upright = 1

// orientation returns the EXIF orientation, 1 to 8, of a JPEG file. Cameras store
// it beside the pixels instead of turning them. Anything missing or malformed
// counts as upright: it says nothing about how to turn the picture, and the
// picture itself may still be sound.
func orientation(file []byte) int {
	const (
		soi, eoi, sos, app1 = 0xd8, 0xd9, 0xda, 0xe1
		tem, rst0, rst7     = 0x01, 0xd0, 0xd7
	)
	if len(file) < 2 || file[0] != 0xff || file[1] != soi {
		return upright
	}
	rest := file[2:]
	for {
		// A marker is any number of 0xff bytes and one other.
		if len(rest) < 2 || rest[0] != 0xff {
			return upright
		}
		marker := rest[1]
		if marker == 0xff {
			rest = rest[1:]
			continue
		}
		rest = rest[2:]
		switch {
		case marker == sos || marker == eoi: // the metadata come before the scan
			return upright
		case marker == tem || marker >= rst0 && marker <= rst7: // no length, no content
			continue
		}
		if len(rest) < 2 {
			return upright
		}
		n := int(binary.BigEndian.Uint16(rest)) // counts its own two bytes
		if n < 2 || n > len(rest) {
			return upright
		}
		content := rest[2:n]
		rest = rest[n:]
		if tiff, ok := bytes.CutPrefix(content, []byte("Exif\x00\x00")); ok && marker == app1 {
			return tiffOrientation(tiff)
		}
	}
}

// tiffOrientation looks tag 0x0112 up in the first directory of a TIFF.
func tiffOrientation(tiff []byte) int {
	const (
		tagOrientation         = 0x0112
		typeByte               = 1
		typeShort              = 3
		typeLong               = 4
		headerLen, entryLen    = 8, 12
		valueOffset            = 8 // within an entry
		typeOffset, cntrOffset = 2, 4
	)
	if len(tiff) < headerLen {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return upright
	}
	if order.Uint16(tiff[2:]) != 42 {
		return upright
	}
	at := int64(order.Uint32(tiff[4:]))
	if at > int64(len(tiff))-2 {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entryLen {
			return upright
		}
		entry := entries[:entryLen]
		entries = entries[entryLen:]
		if order.Uint16(entry) != tagOrientation {
			continue
		}
		if order.Uint32(entry[cntrOffset:]) != 1 {
			return upright
		}
		var v uint32
		switch order.Uint16(entry[typeOffset:]) {
		case typeByte:
			v = uint32(entry[valueOffset])
		case typeShort:
			v = uint32(order.Uint16(entry[valueOffset:]))
		case typeLong:
			v = order.Uint32(entry[valueOffset:])
		}
		if v < 1 || v > 8 {
			return upright
		}
		return int(v)
	}
	return upright
}
