//go:build !unix && !windows

package mapfile

var noRoomError = errNoMappings
