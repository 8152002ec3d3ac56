using System.Buffers.Binary;

namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>
/// Buffers at addresses far from each other. Every access must lie in one buffer and be aligned to its size. What a launch
/// loads through the non-coherent cache (ld.global.nc) it may not write.
/// </summary>
internal sealed class GlobalMemory
{
    private const int BufferShift = 40; // buffer i begins near (i + 1)·2^40: a wrong index lands in no buffer

    private sealed record Buffer(string Name, ulong Address, byte[] Bytes, bool[] IsWritten, bool[] IsReadNonCoherently);

    private readonly List<Buffer> _buffers = [];

    /// <summary>Adds a buffer at an address that is <paramref name="misalignment"/> past a multiple of 256, and returns it.</summary>
    public ulong Add(string name, byte[] bytes, int misalignment = 0)
    {
        ulong address = ((ulong)_buffers.Count + 1 << BufferShift) + (ulong)misalignment;
        _buffers.Add(new Buffer(name, address, bytes, new bool[bytes.Length], new bool[bytes.Length]));
        return address;
    }

    public void Load(ulong address, int elementBytes, Span<ulong> elements, bool isNonCoherent)
    {
        int bytes = elementBytes * elements.Length;
        Buffer buffer = Find(address, bytes, "load", out int offset);
        if (isNonCoherent)
        {
            if (buffer.IsWritten.AsSpan(offset, bytes).Contains(true))
                throw new PtxException($"non-coherent load of {buffer.Name}[byte {offset}], which the launch has written");
            buffer.IsReadNonCoherently.AsSpan(offset, bytes).Fill(true);
        }
        Span<byte> word = stackalloc byte[8];
        for (int i = 0; i < elements.Length; i++)
        {
            word.Clear();
            buffer.Bytes.AsSpan(offset + i * elementBytes, elementBytes).CopyTo(word);
            elements[i] = BinaryPrimitives.ReadUInt64LittleEndian(word);
        }
    }

    public void Store(ulong address, int elementBytes, ReadOnlySpan<ulong> elements)
    {
        int bytes = elementBytes * elements.Length;
        Buffer buffer = Find(address, bytes, "store", out int offset);
        if (buffer.IsReadNonCoherently.AsSpan(offset, bytes).Contains(true))
            throw new PtxException($"store to {buffer.Name}[byte {offset}], which the launch has loaded non-coherently");
        buffer.IsWritten.AsSpan(offset, bytes).Fill(true);
        Span<byte> word = stackalloc byte[8];
        for (int i = 0; i < elements.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, elements[i]);
            word[..elementBytes].CopyTo(buffer.Bytes.AsSpan(offset + i * elementBytes));
        }
    }

    private Buffer Find(ulong address, int bytes, string access, out int offset)
    {
        // Half the distance is added so that an access shortly before a buffer is told as such.
        ulong index = (address + (1UL << (BufferShift - 1)) >> BufferShift) - 1;
        if (index >= (ulong)_buffers.Count)
            throw new PtxException($"{access} of {bytes} bytes at address 0x{address:x}, far from every buffer");
        Buffer buffer = _buffers[(int)index];
        long distance = (long)(address - buffer.Address);
        if (distance < 0 || distance > buffer.Bytes.Length - bytes)
            throw new PtxException($"{Place()}, outside its {buffer.Bytes.Length} bytes");
        if (address % (ulong)bytes != 0)
            throw new PtxException($"misaligned {Place()}");
        offset = (int)distance;
        return buffer;

        string Place() => $"{access} of {bytes} bytes at address 0x{address:x} = {buffer.Name}[byte {distance}]";
    }
}
