using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Diagnostics;
using NinCudnn.Interop;

namespace NinCudnn.Cli.Output;

// The document of `nin doctor --json`; docs/doctor.md describes the fields.

internal sealed record DoctorDocument(
    string Version, string Request, string? Provider, string? Reason, DoctorDevice? Device, IReadOnlyList<DoctorLibrary> Libraries,
    IReadOnlyList<DoctorCheck> Checks, DoctorSummary Summary);

internal sealed record DoctorDevice(int Ordinal, string Name, ulong TotalBytes, long FreeBytes, string ComputeCapability);

internal sealed record DoctorLibrary(string Name, string Version, string Path);

internal sealed record DoctorCheck(string Group, string Name, string? DataType, string Status, double Seconds, string Detail, string? Advice);

internal sealed record DoctorSummary(bool Works, int Passed, int Failed, int NotSupported, int Skipped, double Seconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class DoctorJsonContext : JsonSerializerContext;

/// <summary>A diagnosis for programs: one JSON document.</summary>
internal static class DoctorJson
{
    public static void Write(TextWriter output, DeviceRequest request, DiagnosticReport report)
    {
        ProviderSelection? selection = report.Selection;
        var document = new DoctorDocument(
            AppVersion.Text,
            request.ToString(),
            selection is null ? null : selection.Provider == NativeProvider.Cuda ? "cuda" : "cpu",
            selection?.Reason,
            report.Device is { } device
                ? new DoctorDevice(device.Ordinal, device.Name, device.TotalMemoryBytes, report.FreeBytes, device.ComputeCapability.ToString())
                : null,
            [.. selection?.Libraries.Select(library => new DoctorLibrary(library.Name, library.Version, library.Path)) ?? []],
            [.. report.Checks.Select(Check)],
            new DoctorSummary(
                report.IsHealthy, report.Count(CheckStatus.Passed), report.Count(CheckStatus.Failed), report.Count(CheckStatus.NotSupported),
                report.Count(CheckStatus.Skipped), report.Elapsed.TotalSeconds));
        output.WriteLine(JsonSerializer.Serialize(document, DoctorJsonContext.Default.DoctorDocument));
    }

    private static DoctorCheck Check(CheckResult check) => new(
        check.Group, check.Name, check.DataType is { } type ? DoctorText.Name(type) : null, DoctorText.Name(check.Status).Replace(' ', '_'),
        check.Elapsed.TotalSeconds, check.Detail, check.Advice);
}
