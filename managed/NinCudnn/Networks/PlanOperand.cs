using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>Numbers that a step of a plan reads or writes.</summary>
/// <param name="Name">What they are.</param>
/// <param name="Place">Where they lie once the plan is placed.</param>
/// <param name="Type">Their type.</param>
internal sealed record PlanOperand(string Name, Func<DeviceMemory> Place, DataType Type)
{
    /// <summary>The extents of an activation; null of other tensors.</summary>
    public TensorShape? Shape { get; init; }

    /// <summary>The parameter that they belong to, where a step has operands of many; else null.</summary>
    public string? Parameter { get; init; }

    /// <summary>Whether they are on the way from the loss to the optimiser, and have the loss scale.</summary>
    public bool IsGradient { get; init; }

    public DeviceMemory Memory => Place();

    /// <summary>A place, in words.</summary>
    public string Describe(long index)
    {
        if (Shape is not { } shape)
            return FormattableString.Invariant($"element {index}");
        long place = index / shape.C;
        return FormattableString.Invariant(
            $"image {place / shape.W / shape.H}, channel {index % shape.C}, place ({place / shape.W % shape.H}, {place % shape.W})");
    }
}
