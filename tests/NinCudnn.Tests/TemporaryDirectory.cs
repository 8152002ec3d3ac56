namespace NinCudnn.Tests;

/// <summary>An empty directory that is deleted with all its files.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nin-tests-").FullName;

    /// <summary>The path of a file in the directory, which need not exist.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file; subdirectories in its name are created.</summary>
    /// <returns>The file's path.</returns>
    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        var path = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>The names of all files, relative to the directory, sorted.</summary>
    public string[] Files() =>
        [.. Directory.GetFiles(Path, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(Path, file)).Order()];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
