package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// How class folders were matched to a model's classes.
const (
	byLabel = "by label" // a folder is called what the label says
	byIndex = "by index" // folders are numbers: the classes' own
	byOrder = "by order" // as many folders as classes, and the model has no labels
)

// classMap is the class of each folder.
type classMap struct {
	how   string
	index map[string]int
}

// matchClasses finds the class that each folder stands for: by label; else, if
// all are numbers, by index; else, for a model without labels and exactly as
// many folders as classes, by the folders' order of name, as torchvision's
// ImageFolder numbers them. A folder that fits nothing is an error naming it.
func matchClasses(folders, labels []string, classes int) (classMap, error) {
	m := classMap{byLabel, map[string]int{}}
	var stranger string
	for _, f := range folders {
		at := slices.Index(labels, f)
		if at < 0 {
			stranger = f
			break
		}
		if slices.Contains(labels[at+1:], f) {
			return m, fmt.Errorf("class folder %q: the model has that label more than once; name the folders by class number, 0 to %d", f, classes-1)
		}
		m.index[f] = at
	}
	if stranger == "" {
		return m, nil
	}
	m = classMap{byIndex, map[string]int{}}
	for _, f := range folders {
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 || n >= classes || strings.HasPrefix(f, "+") {
			return byFolderOrder(folders, labels, classes, stranger)
		}
		m.index[f] = n
	}
	return m, nil
}

func byFolderOrder(folders, labels []string, classes int, stranger string) (classMap, error) {
	m := classMap{byOrder, map[string]int{}}
	if len(labels) > 0 {
		return m, fmt.Errorf("class folder %q is not one of the model's %d labels (%s); name folders by label, or by class number 0 to %d",
			stranger, len(labels), someLabels(labels), classes-1)
	}
	if len(folders) != classes {
		return m, fmt.Errorf("the model has no labels, and %d class folders for its %d classes; name the folders by class number 0 to %d (%q is none)",
			len(folders), classes, classes-1, stranger)
	}
	for i, f := range folders {
		m.index[f] = i
	}
	return m, nil
}

// knowsNone reports whether no folder is a label or a class number: the folders
// are then not classes of this model, but just where the images lie.
func knowsNone(folders, labels []string, classes int) bool {
	for _, f := range folders {
		if n, err := strconv.Atoi(f); slices.Contains(labels, f) || err == nil && n >= 0 && n < classes {
			return false
		}
	}
	return true
}
