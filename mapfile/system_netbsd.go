package mapfile

// sysMsync is __msync13, which package syscall does not name.
const sysMsync = 277
