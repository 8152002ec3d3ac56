using System.Text.Json;
using Xunit;

namespace NinCudnn.Tests.Goldens;

/// <summary>
/// A directory of reference data: index.json and the safetensors files it names (Goldens/data/README.md says what they are and where they
/// come from). The tests use the directory in the environment variable NIN_GOLDENS, or their own copy.
/// </summary>
public sealed class GoldenSet
{
    public const string EnvironmentVariable = "NIN_GOLDENS";
    public const string Format = "nin-goldens/1";

    public static string OwnDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "Goldens", "data");

    private static readonly Lazy<GoldenSet> _current = new(() => new GoldenSet(
        Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } directory ? directory : OwnDirectory));

    public GoldenSet(string directory)
    {
        Directory = directory;
        var path = Path.Combine(directory, "index.json");
        using var index = JsonDocument.Parse(File.ReadAllBytes(path));
        var format = index.RootElement.GetProperty("format").GetString();
        if (format != Format)
            throw new InvalidDataException($"{path}: format '{format}', expected '{Format}'");
        Cases = [.. index.RootElement.GetProperty("cases").EnumerateArray().Select(json => new GoldenCase(directory, json.Clone()))];
    }

    /// <summary>The set that the tests use, read once.</summary>
    public static GoldenSet Current => _current.Value;

    public string Directory { get; }

    public IReadOnlyList<GoldenCase> Cases { get; }

    public GoldenCase this[string name] => Cases.Single(item => item.Name == name);

    /// <summary>
    /// The names of the current set's cases of one kind, for <c>[MemberData(nameof(GoldenSet.CaseNames), "conv2d", MemberType =
    /// typeof(GoldenSet))]</c>. Another set need not have every kind; the theory is skipped then.
    /// </summary>
    public static IReadOnlyList<TheoryDataRow<string>> CaseNames(string op)
    {
        TheoryDataRow<string>[] rows = [.. Current.Cases.Where(item => item.Op == op).Select(item => new TheoryDataRow<string>(item.Name))];
        return rows.Length > 0 ? rows : [new("none") { Skip = $"{Current.Directory} has no case of the kind {op}" }];
    }

    /// <summary>The names of all cases of the current set.</summary>
    public static TheoryData<string> AllCaseNames() => [.. Current.Cases.Select(item => item.Name)];
}
