using NinCudnn.Ptx.Tests.Kernels;
using NinCudnn.Ptx.Tests.Ptx;
using Xunit;

namespace NinCudnn.Ptx.Tests;

public class ShippedPtxTests
{
    [Fact]
    public void Modules_Parsed_HaveTheKernels()
    {
        string[] entries = [.. ShippedPtx.Families.SelectMany(family => ShippedPtx.Module(family).Entries.Keys).Order(StringComparer.Ordinal)];
        string[] generic =
        [
            "bias_reduce", "dropout_backward", "dropout_forward", "gradient_square_sum", "input_augmented", "input_forward", "loss_scaling_check",
            "relu_bias_backward", "sgd_step", "softmax_cross_entropy", "softmax_forward",
        ];
        string[] single = ["augmentation_draw", "gradient_clip_factor", "loss_accumulate", "loss_scaling_begin", "loss_scaling_end"];
        string[] expected = [.. generic.SelectMany(name => (string[])[$"{name}_bf16", $"{name}_f16", $"{name}_f32"]), .. single];
        Assert.Equal(expected.Order(StringComparer.Ordinal), entries);
    }

    // Older GPUs and drivers are shut out by more.
    [Fact]
    public void Modules_Parsed_AskForNoMoreThanTheyNeed()
    {
        foreach (string family in ShippedPtx.Families)
        {
            PtxModule module = ShippedPtx.Module(family);
            Assert.Equal(("6.3", "sm_70"), (module.Version, module.Target));
        }
    }
}
