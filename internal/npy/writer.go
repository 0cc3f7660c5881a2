package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/seedge/seedge/internal/atomicfile"
)

const (
	magic = "\x93NUMPY\x01\x00"
	align = 64 // the data begin at a multiple, so that they can be mapped
)

// Writer writes a matrix row by row.
type Writer struct {
	file       *atomicfile.File
	rows, cols int
	wrote      int
	buf        []byte
}

// Create begins a matrix of rows x cols at path, which appears with Commit.
func Create(path string, rows, cols int) (*Writer, error) {
	if rows < 0 || cols < 0 {
		return nil, fmt.Errorf("npy: shape (%d, %d) is negative", rows, cols)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(header(rows, cols)); err != nil {
		f.Discard()
		return nil, err
	}
	return &Writer{file: f, rows: rows, cols: cols, buf: make([]byte, 4*cols)}, nil
}

func header(rows, cols int) []byte {
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols)
	pad := (align - (len(magic)+2+len(dict)+1)%align) % align
	dict += strings.Repeat(" ", pad) + "\n"
	return append(binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(dict))), dict...)
}

// Write appends one row.
func (w *Writer) Write(row []float32) error {
	if len(row) != w.cols {
		return fmt.Errorf("npy: row %d has %d values, want %d", w.wrote, len(row), w.cols)
	}
	if w.wrote == w.rows {
		return fmt.Errorf("npy: more than %d rows", w.rows)
	}
	for i, v := range row {
		binary.LittleEndian.PutUint32(w.buf[4*i:], math.Float32bits(v))
	}
	w.wrote++
	_, err := w.file.Write(w.buf)
	return err
}

// Commit gives the file its name, if it has all its rows.
func (w *Writer) Commit() error {
	if w.wrote != w.rows {
		w.Discard()
		return fmt.Errorf("npy: %d rows written, want %d", w.wrote, w.rows)
	}
	return w.file.Commit()
}

// Discard removes what was written; after Commit it does nothing.
func (w *Writer) Discard() { w.file.Discard() }
