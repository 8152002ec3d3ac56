namespace NinCudnn.Formats;

/// <summary>
/// A file for writing without a buffer, so that every failure is that of a write, and an <see cref="IOException"/>: also that at a limit of file
/// sizes, which .NET takes for a wrong argument.
/// </summary>
public sealed class OutputFileStream : FileStream
{
    private const int NoBuffer = 1;

    /// <summary>Opens the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">Whether it is to be new, or appended to.</param>
    /// <exception cref="IOException">It can't be opened.</exception>
    public OutputFileStream(string path, FileMode mode)
        : base(path, mode, FileAccess.Write, FileShare.Read, NoBuffer)
    {
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) // the other overload of a derived file calls this one
    {
        try
        {
            base.Write(buffer, offset, count);
        }
        catch (ArgumentOutOfRangeException e) when (e.ParamName == "value")
        {
            throw new IOException($"The limit of file sizes is exceeded : '{Name}'", e);
        }
    }

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value], 0, 1);
}
