using System.Runtime.InteropServices;

namespace NinCudnn.Formats;

/// <summary>Flushes a directory to the disk: only then a renamed file is sure to be there after a power failure.</summary>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0; // O_RDONLY

    /// <summary>Asks for it. A file system that knows no such thing is left alone, as is Windows, where a rename needs none.</summary>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        int file = Open(directory, ReadOnly);
        if (file < 0)
            return;
        _ = Fsync(file);
        _ = Close(file);
    }

    // .NET opens no directories.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
