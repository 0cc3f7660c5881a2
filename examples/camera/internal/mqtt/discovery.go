package mqtt

import (
	"encoding/json"
	"strings"
)

// sensor is a message of Home Assistant's MQTT discovery:
// https://www.home-assistant.io/integrations/mqtt#discovery-messages
type sensor struct {
	Name             string         `json:"name"`
	UniqueID         string         `json:"unique_id"`
	StateTopic       string         `json:"state_topic"`
	ValueTemplate    string         `json:"value_template,omitempty"`
	AttributesTopic  string         `json:"json_attributes_topic,omitempty"`
	Icon             string         `json:"icon"`
	Availability     []availability `json:"availability"`
	AvailabilityMode string         `json:"availability_mode"`
	Device           device         `json:"device"`
	Origin           origin         `json:"origin"`
}

type availability struct {
	Topic         string `json:"topic"`
	ValueTemplate string `json:"value_template,omitempty"`
}

type device struct {
	Identifiers  []string `json:"identifiers"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
}

type origin struct {
	Name string `json:"name"`
	URL  string `json:"support_url"`
}

// discover makes the messages that announce a camera, by topic.
func discover(prefix, topic, camera string) map[string][]byte {
	node := strings.ReplaceAll(topic, "/", "_")
	base := topic + "/" + camera
	running := availability{Topic: topic + "/status"}
	own := sensor{
		Availability: []availability{running}, AvailabilityMode: "all",
		Device: device{[]string{node + "_" + camera}, "Seedge " + camera, "Seedge", "camera"},
		Origin: origin{"seedge-camera", "https://github.com/seedge/seedge"},
	}

	label := own
	label.Name, label.UniqueID, label.Icon = "Label", node+"_"+camera+"_label", "mdi:eye"
	label.StateTopic, label.AttributesTopic = base+"/result", base+"/result"
	// No label is a state of its own: nothing is sure enough.
	label.ValueTemplate = "{{ value_json.label or 'none' }}"
	label.Availability = append(label.Availability[:1:1], availability{base + "/state", "{{ 'online' if value == 'streaming' else 'offline' }}"})

	state := own
	state.Name, state.UniqueID, state.Icon = "Camera", node+"_"+camera+"_state", "mdi:cctv"
	state.StateTopic = base + "/state"

	all := map[string][]byte{}
	for part, s := range map[string]sensor{"label": label, "state": state} {
		text, err := json.Marshal(s)
		if err != nil {
			panic(err) // strings alone
		}
		all[prefix+"/sensor/"+node+"_"+camera+"/"+part+"/config"] = text
	}
	return all
}
