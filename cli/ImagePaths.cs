using System.IO.Enumeration;
using NinCudnn.Data;

namespace NinCudnn.Cli;

/// <summary>A file that was named, or what is wrong with a name.</summary>
/// <param name="Path">The path, as it was given or begun.</param>
/// <param name="Problem">Why there is no file; null if there may be one.</param>
internal sealed record NamedImage(string Path, string? Problem = null);

/// <summary>Finds the images that a command line names.</summary>
internal static class ImagePaths
{
    /// <summary>Where a list of paths comes from standard input.</summary>
    public const string FromInput = "-";

    /// <summary>
    /// Goes through what was named: a file; a folder, with all images in and below it; a pattern with * or ? in the last part of its path; or
    /// <see cref="FromInput"/> for files named by the lines of a text. Folders and patterns give their files in the order of their paths. Links to folders
    /// are followed where they are named, and not below: they may lead back up.
    /// </summary>
    public static IEnumerable<NamedImage> Expand(IEnumerable<string> names, TextReader input)
    {
        foreach (string name in names)
        {
            IEnumerable<NamedImage> images = name == FromInput ? Lines(input)
                : Directory.Exists(name) ? InFolder(name)
                : name.AsSpan().IndexOfAny('*', '?') >= 0 && !File.Exists(name) ? Matching(name)
                : [new NamedImage(name)];
            foreach (NamedImage image in images)
                yield return image;
        }
    }

    private static IEnumerable<NamedImage> Lines(TextReader input)
    {
        while (input.ReadLine() is { } line)
        {
            if (line.Length > 0)
                yield return new NamedImage(line);
        }
    }

    private static NamedImage[] InFolder(string folder)
    {
        NamedImage[] images = Find(folder, "*", isDeep: true);
        return images.Length > 0 ? images : [new NamedImage(folder, $"holds no images ({string.Join(", ", ImageDecoder.Extensions)})")];
    }

    private static NamedImage[] Matching(string pattern)
    {
        string folder = Path.GetDirectoryName(pattern) is { Length: > 0 } directory ? directory : ".";
        if (!Directory.Exists(folder))
            return [new NamedImage(pattern, $"the folder {folder} does not exist")];
        NamedImage[] images = Find(folder, Path.GetFileName(pattern), isDeep: false);
        return images.Length > 0 ? images : [new NamedImage(pattern, "matches no images")];
    }

    private static NamedImage[] Find(string folder, string pattern, bool isDeep) =>
    [
        .. new FileSystemEnumerable<string>(folder, (ref entry) => entry.ToSpecifiedFullPath(), new EnumerationOptions
        {
            RecurseSubdirectories = isDeep,
            AttributesToSkip = default, // hidden files are images too
            IgnoreInaccessible = false,
        })
        {
            ShouldIncludePredicate = (ref entry) => !entry.IsDirectory && FileSystemName.MatchesSimpleExpression(pattern, entry.FileName),
            ShouldRecursePredicate = (ref entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        }
            .Where(path => ImageDecoder.Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            .Select(path => path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path)
            .Order(StringComparer.Ordinal)
            .Select(path => new NamedImage(path)),
    ];
}
