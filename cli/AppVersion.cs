using System.Reflection;

namespace NinCudnn.Cli;

internal static class AppVersion
{
    /// <summary>The program's version, as <c>nin --version</c> says it.</summary>
    public static string Text { get; } =
        typeof(AppVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
