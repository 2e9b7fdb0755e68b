package main

// rewriteChunks changes the mapper of head chunks in dir so that a reader holds a guard on the
// file that it reads, instead of the lock of all files:
//
//   - Chunk takes no lock of the mapper, and acquires the file of its reference;
//   - a truncation retires files. It does not wait for the readers of these files, so readers of
//     other files do not wait for the truncation;
//   - Close waits for all readers, as before.
//
// The added file files.go has the rest. A file is removed while it may still be mapped, which
// Windows does not allow.
func rewriteChunks(dir string) error {
	p, err := parse(dir)
	if err != nil {
		return err
	}
	const file = "head_chunks.go"
	head := []string{file}
	mapper := "ChunkDiskMapper."
	p.uses("the lock", head, selected("readPathMtx"),
		mapper+"Chunk", mapper+"cut", mapper+"deleteFiles", mapper+"Close", // rewritten
		mapper+"Truncate", mapper+"DeleteCorrupted") // these lock the maps below, which stay
	p.uses("a mapped file", head, selected("mmappedChunkFiles"),
		mapper+"Chunk", mapper+"cut", mapper+"deleteFiles", mapper+"openMMapFiles",
		mapper+"IterateAllChunks", mapper+"Truncate", mapper+"DeleteCorrupted", mapper+"Close")
	p.uses("a closer", head, selected("closers"),
		mapper+"cut", mapper+"deleteFiles", mapper+"openMMapFiles", mapper+"Close")
	p.uses("the current file", head, selected("curFileSequence"),
		mapper+"Chunk", mapper+"cut", mapper+"Truncate", mapper+"IterateAllChunks")
	p.uses("closed", head, selected("closed"),
		mapper+"Chunk", mapper+"Close", mapper+"writeChunk")

	p.fields(file, "ChunkDiskMapper", nil, "files chunkFiles")
	p.function(file, mapper+"openMMapFiles").
		before("cdm.closers = map[int]io.Closer{}", "cdm.files.open()").
		expression(1, "closeAllFromMap(cdm.closers)", "cdm.files.close()").
		before("chkFileIndices = append(chkFileIndices, seq)", "if err := cdm.files.add(seq, cdm.mmappedChunkFiles[seq], f); err != nil { return err }")
	p.function(file, mapper+"cut").
		before("cdm.curFileSequence = seq", "cdm.files.current.Store(int64(seq))").
		after("cdm.mmappedChunkFiles[cdm.curFileSequence] = &mmappedChunkFile{byteSlice: realByteSlice(mmapFile.Bytes())}",
			"addErr := cdm.files.add(seq, cdm.mmappedChunkFiles[seq], mmapFile)").
		before("cdm.curFileMaxt = 0", "if addErr != nil { return 0, 0, addErr }")
	p.function(file, mapper+"Chunk").
		replace(1, "cdm.readPathMtx.RLock()", "").
		replace(1, "defer cdm.readPathMtx.RUnlock()", "").
		expression(1, "cdm.closed", "cdm.files.closed.Load()").
		expression(2, "cdm.curFileSequence", "int(cdm.files.current.Load())").
		replace(1, "mmapFile, ok := cdm.mmappedChunkFiles[sgmIndex]", "guard, ok := cdm.files.Acquire(uint64(ref))").
		before("if !ok {}", "if !ok && cdm.files.closed.Load() { return nil, ErrChunkDiskMapperClosed }").
		after("if !ok {}", "defer guard.Release()\nmmapFile := guard.Value()")
	p.function(file, mapper+"deleteFiles").
		expression(1, "cdm.closers[seq].Close()", "cdm.files.retire(seq)")
	p.function(file, mapper+"Close").
		before("cdm.closed = true", "cdm.files.closed.Store(true)").
		expression(1, "closeAllFromMap(cdm.closers)", "cdm.files.close()")
	p.dropFunction(file, "closeAllFromMap")
	return p.write(file)
}
