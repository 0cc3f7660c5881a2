package camera

import (
	"fmt"
	"os"
	"path/filepath"
)

// plugins are the GStreamer plugins that a preset's pipeline is made of, the
// hardware's own first, each with a name for people.
func plugins(preset string) []gstPlugin {
	common := []gstPlugin{
		{"app", "Debian's gstreamer1.0-plugins-base"},
		{"videoconvert*", "Debian's gstreamer1.0-plugins-base"}, // videoconvertscale since 1.22
	}
	if preset == presetJetson {
		return append([]gstPlugin{
			{"nvarguscamerasrc", "JetPack's nvidia-l4t-gstreamer"},
			{"nvvidconv", "JetPack's nvidia-l4t-gstreamer"},
		}, common...)
	}
	return append([]gstPlugin{{"libcamera", "Debian's gstreamer1.0-libcamera"}}, common...)
}

type gstPlugin struct{ name, from string }

// checkPlugins refuses a pipeline with a part missing: GStreamer would build the
// rest of it, and OpenCV wait for its first frame for ever.
func checkPlugins(src source, needed []gstPlugin) error {
	folders := pluginFolders()
search:
	for _, p := range needed {
		for _, folder := range folders {
			if found, _ := filepath.Glob(filepath.Join(folder, "libgst"+p.name+".so")); len(found) > 0 {
				continue search
			}
		}
		return fmt.Errorf("camera: %s: %w: the GStreamer plugin libgst%s.so is not installed; it comes with %s", src.name, ErrBuild, p.name, p.from)
	}
	return nil
}

// pluginFolders is where GStreamer looks for plugins, as patterns.
func pluginFolders() []string {
	var folders []string
	for _, name := range []string{"GST_PLUGIN_PATH_1_0", "GST_PLUGIN_PATH", "GST_PLUGIN_SYSTEM_PATH_1_0", "GST_PLUGIN_SYSTEM_PATH"} {
		folders = append(folders, filepath.SplitList(os.Getenv(name))...)
	}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".local/share/gstreamer-1.0/plugins"))
	}
	for _, lib := range []string{"/usr/lib", "/usr/lib64", "/usr/lib/*", "/usr/local/lib", "/usr/local/lib/*"} {
		folders = append(folders, filepath.Join(lib, "gstreamer-1.0"))
	}
	return folders
}
