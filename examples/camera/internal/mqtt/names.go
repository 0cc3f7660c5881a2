package mqtt

import (
	"os"
	"regexp"
	"strings"
)

var unfit = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// DefaultTopic is seedge/ and this machine's name.
func DefaultTopic() string {
	host, err := os.Hostname()
	host = strings.Trim(unfit.ReplaceAllString(host, "-"), "-")
	if err != nil || host == "" {
		return "seedge"
	}
	return "seedge/" + host
}

// clientID is the name by which the broker knows the client. It stays the same,
// so that a broker can tell what it may do.
func clientID(topic string) string { return strings.ReplaceAll(topic, "/", "-") }
