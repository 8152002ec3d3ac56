namespace NinCudnn.Formats;

/// <summary>What a safetensors header says about one tensor.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The dimensions, outermost first; empty for a scalar, and a dimension may be 0.</param>
/// <param name="Begin">Where the data begin, in bytes from the end of the header.</param>
/// <param name="End">Where they end: Begin + elements · bytes of an element.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<int> Shape, long Begin, long End)
{
    /// <summary>Bytes of data.</summary>
    public long ByteCount => End - Begin;

    /// <summary>The number of elements.</summary>
    public long ElementCount => ByteCount / Type.SizeInBytes();
}
