using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace NinCudnn.Formats;

/// <summary>
/// Collects tensors and writes them as one safetensors file. The tensors' memory is borrowed until <see cref="Save"/> has returned. Equal
/// content gives equal files: metadata are sorted, and tensors lie in the order of addition within each element size, largest size first,
/// so that all of them are aligned.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int HeaderAlignment = 8;
    private const int ChunkElements = 1 << 20;

    private static readonly Entry _checksumEntry =
        new(SafetensorsHeader.ChecksumName, SafetensorsType.U8, [SafetensorsHeader.ChecksumBytes], default, default) { ByteCount = SafetensorsHeader.ChecksumBytes };

    private readonly List<Entry> _entries = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal) { SafetensorsHeader.MetadataKey, SafetensorsHeader.ChecksumName };

    /// <summary>What becomes the header's <c>__metadata__</c>; left out when empty.</summary>
    public IDictionary<string, string> Metadata { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Whether the file ends in a checksum: a tensor <c>nin.xxh128</c> of type U8 with the XXH128 of all bytes before it, which
    /// <see cref="SafetensorsFile.VerifyChecksum"/> compares.
    /// </summary>
    public bool HasChecksum { get; init; }

    /// <summary>Adds a tensor of type F32.</summary>
    /// <param name="name">A name that was not used yet.</param>
    /// <param name="shape">The dimensions, outermost first; empty for a scalar.</param>
    /// <param name="values">All elements in row-major order.</param>
    /// <exception cref="ArgumentException">The name is taken, or the number of elements does not fit the shape.</exception>
    public void Add(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<float> values) =>
        Add(new Entry(name, SafetensorsType.F32, shape.ToArray(), values, default), (long)values.Length * sizeof(float));

    /// <summary>Adds a tensor of any type as raw little-endian data.</summary>
    /// <param name="name">A name that was not used yet.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The dimensions, outermost first; empty for a scalar.</param>
    /// <param name="bytes">All elements in row-major order.</param>
    /// <exception cref="ArgumentException">The name is taken, or the number of bytes does not fit type and shape.</exception>
    public void Add(string name, SafetensorsType type, ReadOnlySpan<int> shape, ReadOnlyMemory<byte> bytes) =>
        Add(new Entry(name, type, shape.ToArray(), default, bytes), bytes.Length);

    /// <summary>Writes the file: under a temporary name in the same directory, flushed to the disk, then renamed.</summary>
    /// <param name="path">The file to create or replace; its directory must exist.</param>
    /// <exception cref="IOException">The file cannot be written; an old file is as it was.</exception>
    public void Save(string path)
    {
        var ordered = _entries.OrderByDescending(entry => entry.Type.SizeInBytes()).ToArray(); // a stable sort
        var checksum = HasChecksum ? new XxHash128() : null;
        using var file = new AtomicFile(path);
        Write(Header(checksum is null ? ordered : [.. ordered, _checksumEntry]));
        foreach (var entry in ordered)
        {
            Write(entry.Bytes.Span);
            var singles = entry.Singles.Span;
            for (var start = 0; start < singles.Length; start += ChunkElements)
                Write(MemoryMarshal.AsBytes(singles.Slice(start, Math.Min(ChunkElements, singles.Length - start))));
        }

        if (checksum is not null)
            file.Stream.Write(checksum.GetCurrentHash());
        file.Finish();
        file.Commit();

        void Write(ReadOnlySpan<byte> bytes)
        {
            checksum?.Append(bytes);
            file.Stream.Write(bytes);
        }
    }

    private void Add(Entry entry, long byteCount)
    {
        foreach (var size in entry.Shape)
            ArgumentOutOfRangeException.ThrowIfNegative(size, "shape");
        if (!entry.Type.TryByteCount(entry.Shape, out var expected) || expected != byteCount)
            throw new ArgumentException($"'{entry.Name}': {byteCount} bytes do not fit {entry.Type} [{string.Join(", ", entry.Shape)}].");
        if (!_names.Add(entry.Name))
            throw new ArgumentException($"The name '{entry.Name}' is taken.");
        _entries.Add(entry with { ByteCount = byteCount });
    }

    private byte[] Header(Entry[] entries)
    {
        var stream = new MemoryStream();
        stream.Write(stackalloc byte[SafetensorsHeader.LengthBytes]);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            WriteMetadata(json);
            long offset = 0;
            foreach (var entry in entries)
            {
                WriteEntry(json, entry, offset);
                offset += entry.ByteCount;
            }

            json.WriteEndObject();
        }

        while (stream.Length % HeaderAlignment != 0)
            stream.WriteByte((byte)' ');
        var header = stream.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - SafetensorsHeader.LengthBytes);
        return header;
    }

    private void WriteMetadata(Utf8JsonWriter json)
    {
        if (Metadata.Count == 0)
            return;
        json.WriteStartObject(SafetensorsHeader.MetadataKey);
        foreach (var (key, value) in Metadata)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteEntry(Utf8JsonWriter json, Entry entry, long offset)
    {
        json.WriteStartObject(entry.Name);
        json.WriteString("dtype", entry.Type.ToString());
        json.WriteStartArray("shape");
        foreach (var size in entry.Shape)
            json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset + entry.ByteCount);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private sealed record Entry(string Name, SafetensorsType Type, int[] Shape, ReadOnlyMemory<float> Singles, ReadOnlyMemory<byte> Bytes)
    {
        public long ByteCount { get; init; }
    }
}
