package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"time"
)

// MQTT is where results are published.
type MQTT struct {
	Server       string        `yaml:"server"` // mqtt://host:1883 or mqtts://host:8883; "": nowhere
	Username     string        `yaml:"username"`
	PasswordFile string        `yaml:"password_file"`
	CAFile       string        `yaml:"ca_file"`   // PEM; "": those that the system trusts
	CertFile     string        `yaml:"cert_file"` // PEM, for brokers that want a certificate
	KeyFile      string        `yaml:"key_file"`
	Topic        string        `yaml:"topic"`     // "": seedge/ and the machine's name
	Discovery    string        `yaml:"discovery"` // Home Assistant's prefix; "": none
	Interval     time.Duration `yaml:"interval"`  // of results while the label stays; 0: every result
	Queue        int           `yaml:"queue"`     // results kept while the broker is away
}

var topic = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$`)

// URL returns the server's address with its port, or nil.
func (m MQTT) URL() (*url.URL, error) {
	if m.Server == "" {
		return nil, nil
	}
	// No error quotes the address: people put passwords into it.
	u, err := url.Parse(m.Server)
	if err != nil || u.Hostname() == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return nil, fmt.Errorf("%w: mqtt server is no mqtt://host:port or mqtts://host:port", ErrConfig)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: mqtt server has a user in its address, where others can read it; say username and password_file", ErrConfig)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: mqtt server has something after host and port; say topic for the topic", ErrConfig)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), map[string]string{"mqtt": "1883", "mqtts": "8883"}[u.Scheme])
	}
	u.Path = ""
	return u, nil
}

func (m MQTT) check() error {
	u, err := m.URL()
	if err != nil || u == nil {
		return err
	}
	if u.Scheme == "mqtt" && m.CAFile+m.CertFile+m.KeyFile != "" {
		return fmt.Errorf("%w: mqtt has certificates but no TLS; want a server at mqtts://", ErrConfig)
	}
	if (m.CertFile == "") != (m.KeyFile == "") {
		return fmt.Errorf("%w: mqtt wants both of cert_file and key_file, or none", ErrConfig)
	}
	if m.PasswordFile != "" && m.Username == "" {
		return fmt.Errorf("%w: mqtt has a password_file but no username", ErrConfig)
	}
	for name, t := range map[string]string{"topic": m.Topic, "discovery": m.Discovery} {
		if t != "" && (!topic.MatchString(t) || len(t) > 200) {
			return fmt.Errorf("%w: mqtt %s is %q, want letters, digits, - and _ with / between, 200 at most", ErrConfig, name, t)
		}
	}
	if m.Interval < 0 {
		return fmt.Errorf("%w: mqtt interval is %v, want 0 or more", ErrConfig, m.Interval)
	}
	if m.Queue < 1 || m.Queue > 1_000_000 {
		return fmt.Errorf("%w: mqtt queue is %d, want 1 to 1000000", ErrConfig, m.Queue)
	}
	return nil
}

// TLS reads the certificates. It returns nil without TLS.
func (m MQTT) TLS() (*tls.Config, error) {
	u, err := m.URL()
	if err != nil || u == nil || u.Scheme != "mqtts" {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	if m.CAFile != "" {
		text, err := os.ReadFile(m.CAFile)
		if err != nil {
			return nil, fmt.Errorf("configuration: mqtt ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%w: mqtt ca_file %s holds no PEM certificate", ErrConfig, m.CAFile)
		}
	}
	if m.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(m.CertFile, m.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%w: mqtt cert_file and key_file: %w", ErrConfig, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
