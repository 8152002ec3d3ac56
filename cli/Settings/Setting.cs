using System.CommandLine;

namespace NinCudnn.Cli.Settings;

/// <summary>An option's value that stands elsewhere than on the command line.</summary>
/// <param name="Option">The option.</param>
/// <param name="Text">The value, as the command line would have it.</param>
/// <param name="Place">The file or variable.</param>
/// <param name="Key">Where in the file; null for a variable.</param>
internal sealed record Setting(Option Option, string Text, string Place, string? Key = null)
{
    /// <summary>As an argument of the command line, in one piece, so that no value is taken for an option.</summary>
    public string Argument => $"{Option.Name}={Text}";

    /// <summary>Place and key.</summary>
    public override string ToString() => Key is null ? Place : $"{Place}: {Key}";

    /// <summary>Options that say how to compute, which may be set for all commands at once.</summary>
    public static bool IsShared(Option option) => option.Name is "--device" or "--precision" or "--algorithms" or "--deterministic" or "--workspace-limit";

    /// <summary>An option's name in a file.</summary>
    public static string KeyOf(Option option) => option.Name.TrimStart('-');
}
