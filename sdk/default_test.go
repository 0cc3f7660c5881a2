package sdk

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/models"
)

// The embedded model is one file under three names.
func TestDefault(t *testing.T) {
	file, err := modelfile.Parse(models.Default(), "default")
	require.NoError(t, err)
	var want []float32
	for _, open := range []func() (*Model, error){
		func() (*Model, error) { return OpenDefault() },
		func() (*Model, error) { return Open("default") },
		func() (*Model, error) { return newModel(file, nil) },
	} {
		m, err := open()
		require.NoError(t, err)
		assert.Equal(t, "int8", m.Info().Precision)
		assert.Len(t, m.Info().Labels, m.Info().Classes)
		got, err := m.Logits(t.Context(), picture(1, 200, 150))
		require.NoError(t, err)
		if want == nil {
			want = got
		}
		assert.Equal(t, want, got)
		require.NoError(t, m.Close())
	}
	_, err = Open("default", WithTopK(0))
	require.ErrorIs(t, err, ErrOption)
	_, err = OpenDefault(WithSessions(0))
	require.ErrorIs(t, err, ErrOption)
}
