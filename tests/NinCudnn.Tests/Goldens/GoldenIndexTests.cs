using System.Text.Json;
using NinCudnn.Formats;
using Xunit;

namespace NinCudnn.Tests.Goldens;

/// <summary>The index says what the files hold: names, types, shapes, tolerances.</summary>
public class GoldenIndexTests
{
    private static readonly string[] _toleranceTables = ["tolerance", "grad_tolerance", "final_params_tolerance"];

    [Fact]
    public void GoldenSet_OwnCopy_HasEveryKind()
    {
        var set = new GoldenSet(GoldenSet.OwnDirectory);

        Assert.Equal(
            [
                "conv2d", "global_avg_pool", "maxpool2d", "nin_forward_backward", "nin_seed", "nin_train", "parameter_count", "relu",
                "resize_float", "resize_pil", "sgd", "softmax_cross_entropy",
            ],
            set.Cases.Select(item => item.Op).Distinct().Order());
        Assert.Equal(set.Cases.Count, set.Cases.Select(item => item.Name).Distinct().Count());
    }

    [Fact]
    public void GoldenSet_OwnCopy_HasNoFileThatTheIndexLacks()
    {
        var set = new GoldenSet(GoldenSet.OwnDirectory);

        var named = set.Cases.SelectMany(item => item.MoreFiles.Values.Append(item.FileName)).OfType<string>().Distinct().Order();
        var present = Directory.GetFiles(set.Directory, "*.safetensors").Select(Path.GetFileName).Order();
        Assert.Equal(named, present!);
    }

    [Theory]
    [MemberData(nameof(GoldenSet.AllCaseNames), MemberType = typeof(GoldenSet))]
    public void GoldenCase_MainFile_HasTheTensorsOfTheIndex(string name)
    {
        var item = GoldenSet.Current[name];
        var listed = item.Json.GetProperty("tensors");
        if (item.FileName is null)
        {
            Assert.Empty(listed.EnumerateObject());
            return;
        }

        using var file = item.Open();
        AssertSameTensors(listed, file);
    }

    [Theory]
    [MemberData(nameof(GoldenSet.AllCaseNames), MemberType = typeof(GoldenSet))]
    public void GoldenCase_MoreFiles_CanBeRead(string name)
    {
        var item = GoldenSet.Current[name];
        foreach (var role in item.MoreFiles.Keys)
        {
            using var file = item.Open(role);
            Assert.NotEmpty(file.Tensors);
            if (role is "params" or "grads" or "final_params" && item.Json.TryGetProperty("param_tensors", out var listed))
                AssertSameTensors(listed, file);
        }
    }

    [Theory]
    [MemberData(nameof(GoldenSet.AllCaseNames), MemberType = typeof(GoldenSet))]
    public void GoldenCase_Tolerances_BelongToTensorsAndAreValid(string name)
    {
        var item = GoldenSet.Current[name];
        foreach (var table in _toleranceTables)
        {
            if (!item.Json.TryGetProperty(table, out var entries))
                continue;
            string? role = table switch { "grad_tolerance" => "grads", "final_params_tolerance" => "final_params", _ => null };
            foreach (var entry in entries.EnumerateObject())
            {
                Assert.True(item.Has(entry.Name, role), $"{table} names the unknown tensor {entry.Name}");
                item.Tolerance(entry.Name, table); // throws unless finite and not negative
            }
        }
    }

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "parameter_count", MemberType = typeof(GoldenSet))]
    public void GoldenParameterCount_Shapes_AddUpToTheTotal(string name)
    {
        var parameters = GoldenSet.Current[name].Params;
        var counts = parameters.GetProperty("per_tensor");

        long total = 0;
        foreach (var entry in parameters.GetProperty("shapes").EnumerateObject())
        {
            var count = entry.Value.EnumerateArray().Aggregate(1L, (product, size) => product * size.GetInt64());
            Assert.Equal(counts.GetProperty(entry.Name).GetInt64(), count);
            total += count;
        }

        Assert.Equal(parameters.GetProperty("total").GetInt64(), total);
    }

    [Fact]
    public void GoldenSet_UnknownFormat_Throws()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("index.json", """{"format": "nin-goldens/2", "cases": []}"""u8);

        var error = Assert.Throws<InvalidDataException>(() => new GoldenSet(directory.Path));
        Assert.Contains("nin-goldens/2", error.Message, StringComparison.Ordinal);
    }

    private static void AssertSameTensors(JsonElement listed, SafetensorsFile file)
    {
        Assert.Equal(listed.EnumerateObject().Select(entry => entry.Name).Order(), file.Tensors.Keys.Order());
        foreach (var entry in listed.EnumerateObject())
        {
            var tensor = file.Tensors[entry.Name];
            Assert.Equal(entry.Value.GetProperty("dtype").GetString(), tensor.Type.ToString());
            Assert.Equal(entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()), tensor.Shape);
        }
    }
}
