using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NinCudnn.Formats;

/// <summary>
/// Reads a safetensors file: 8 bytes of header length (little-endian), a JSON header, the tensors' raw little-endian data. The header is
/// checked whole when the file is opened; tensors are read from the file when asked for. Owns the open file. Any thread may read.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    // The limit of the format's reference implementation.
    private const long MaxHeaderBytes = 100_000_000;
    private const int ChunkBytes = 1 << 20;

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly long _dataStart;

    private SafetensorsFile(
        string path,
        SafeFileHandle handle,
        long dataStart,
        IReadOnlyDictionary<string, SafetensorsTensor> tensors,
        IReadOnlyDictionary<string, string> metadata)
    {
        _path = path;
        _handle = handle;
        _dataStart = dataStart;
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors { get; }

    /// <summary>The header's <c>__metadata__</c>; empty if it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Whether the file ends in a checksum, see <see cref="SafetensorsWriter.HasChecksum"/>.</summary>
    public bool HasChecksum => Tensors.ContainsKey(SafetensorsHeader.ChecksumName);

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">
    /// The header's length or JSON is wrong, an entry is incomplete, of unknown type or of a size that does not fit, a name occurs twice,
    /// or the tensors do not cover the data exactly, without gap or overlap.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var handle = File.OpenHandle(path);
        try
        {
            var fileBytes = RandomAccess.GetLength(handle);
            Span<byte> prefix = stackalloc byte[SafetensorsHeader.LengthBytes];
            if (fileBytes < prefix.Length)
                throw new InvalidDataException($"{path}: {fileBytes} bytes, too short for the header length at offset 0");
            ReadExactly(path, handle, prefix, 0);

            var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            var headerLimit = Math.Min(MaxHeaderBytes, fileBytes - prefix.Length);
            if (headerBytes > (ulong)headerLimit)
                throw new InvalidDataException($"{path}: header length {headerBytes} at offset 0, at most {headerLimit} is possible here");
            var header = new byte[headerBytes];
            ReadExactly(path, handle, header, prefix.Length);

            var dataStart = prefix.Length + header.Length;
            var (tensors, metadata) = SafetensorsHeader.Parse(path, header, fileBytes - dataStart);
            return new SafetensorsFile(path, handle, dataStart, tensors, metadata);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor of F32, F16 or BF16 as floats, in row-major order. The conversion is exact.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">The tensor has another type or is too large for an array, or the file was cut.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public float[] ReadSingles(string name)
    {
        var tensor = Find(name);
        if (tensor.Type == SafetensorsType.F32)
        {
            var singles = new float[tensor.ElementCount];
            Read(tensor, MemoryMarshal.AsBytes(singles.AsSpan()));
            return singles;
        }

        if (tensor.Type is not (SafetensorsType.F16 or SafetensorsType.BF16))
            throw new InvalidDataException($"{_path}: tensor '{name}' has the type {tensor.Type}, expected F32, F16 or BF16");
        var halves = MemoryMarshal.Cast<byte, ushort>(ReadBytes(name));
        var result = new float[halves.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = tensor.Type == SafetensorsType.F16
                ? (float)BitConverter.UInt16BitsToHalf(halves[i])
                : BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
        }

        return result;
    }

    /// <summary>Reads a tensor's raw little-endian data.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">The tensor is too large for an array, or the file was cut since.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public byte[] ReadBytes(string name)
    {
        var tensor = Find(name);
        var bytes = new byte[tensor.ByteCount];
        Read(tensor, bytes);
        return bytes;
    }

    /// <summary>Reads the whole file and compares it with the checksum that it ends in.</summary>
    /// <exception cref="InvalidDataException">A bit of it is not as it was written, or it has no checksum, or one that is not its end.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void VerifyChecksum()
    {
        if (!Tensors.TryGetValue(SafetensorsHeader.ChecksumName, out var tensor) || tensor.Type != SafetensorsType.U8 || tensor.ByteCount != SafetensorsHeader.ChecksumBytes
            || Tensors.Values.Any(other => other.Begin > tensor.Begin))
            throw new InvalidDataException($"{_path}: the file does not end in a checksum ({SafetensorsHeader.ChecksumName})");
        var checksum = new XxHash128();
        var chunk = new byte[ChunkBytes];
        var end = _dataStart + tensor.Begin;
        for (long offset = 0; offset < end; offset += chunk.Length)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, end - offset));
            ReadExactly(_path, _handle, part, offset);
            checksum.Append(part);
        }

        if (!checksum.GetCurrentHash().AsSpan().SequenceEqual(ReadBytes(SafetensorsHeader.ChecksumName)))
            throw new InvalidDataException($"{_path}: the file is damaged: its content does not match its checksum");
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle.Dispose();

    private SafetensorsTensor Find(string name)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        var tensor = Tensors.TryGetValue(name, out var found)
            ? found
            : throw new KeyNotFoundException($"{_path}: there is no tensor '{name}'");
        return tensor.ByteCount <= Array.MaxLength
            ? tensor
            : throw new InvalidDataException($"{_path}: tensor '{name}' has {tensor.ByteCount} bytes, more than an array can hold");
    }

    private void Read(SafetensorsTensor tensor, Span<byte> destination) =>
        ReadExactly(_path, _handle, destination, _dataStart + tensor.Begin);

    private static void ReadExactly(string path, SafeFileHandle handle, Span<byte> destination, long offset)
    {
        while (destination.Length > 0)
        {
            var count = RandomAccess.Read(handle, destination, offset);
            if (count == 0)
                throw new InvalidDataException($"{path}: the file ends at offset {offset}, it was cut while it was open");
            destination = destination[count..];
            offset += count;
        }
    }
}
