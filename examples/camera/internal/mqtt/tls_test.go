package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seedge/seedge/examples/camera/internal/broker"
)

// certificate writes one for 127.0.0.1 and its key, and returns their names.
func certificate(t *testing.T) (cert, key string) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(k)
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", secret)
}

const password = "correct horse battery"

// TLS and a password; and one of both wrong.
func TestTLSAndPassword(t *testing.T) {
	cert, key := certificate(t)
	users := filepath.Join(t.TempDir(), "users")
	out, err := exec.Command("mosquitto_passwd", "-c", "-b", users, "bob", password).CombinedOutput()
	require.NoError(t, err, "%s", out)
	b := broker.New(t, fmt.Sprintf("allow_anonymous false\npassword_file %s\ncertfile %s\nkeyfile %s", users, cert, key))
	roots := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(text))
	trust := &tls.Config{RootCAs: roots}
	server := &url.URL{Scheme: "mqtts", Host: b.Address}

	conn, err := tls.Dial("tcp", b.Address, trust)
	require.NoError(t, err)
	h := listen(t, conn, "bob", password)
	p, log := publish(t, server, func(o *Options) { o.TLS, o.Username, o.Password = trust, "bob", password })
	h.until(t, status, "online")
	see(p, 1)
	require.Eventually(t, func() bool { return len(h.of(results)) == 1 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, p.Close())
	assert.NotContains(t, log.String(), password)

	for want, change := range map[string]func(o *Options){
		"refuses this": func(o *Options) { o.TLS, o.Username, o.Password = trust, "bob", password+" not" },
		"certificate":  func(o *Options) { o.TLS, o.Username, o.Password = &tls.Config{}, "bob", password },
	} {
		p, log := publish(t, server, change)
		require.Eventually(t, func() bool { return strings.Contains(log.String(), "mqtt not connected") }, 10*time.Second, 5*time.Millisecond)
		assert.Contains(t, log.String(), want)
		assert.NotContains(t, log.String(), password)
		require.NoError(t, p.Close())
	}
}
