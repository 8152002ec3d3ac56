using System.Reflection;

namespace NinCudnn.Cli;

internal static class AppVersion
{
    /// <summary>The program's version, without the source revision that the build appends.</summary>
    public static string Text { get; } =
        typeof(AppVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
