using NinCudnn.Numerics;

namespace NinCudnn.Data;

/// <summary>
/// The order in which one epoch visits the samples: a permutation of 0…n-1 that is a function of seed and epoch alone, so a resumed
/// run continues exactly where it stopped.
/// </summary>
/// <remarks>
/// Fisher–Yates from the identity: for i = n-1 down to 1, swap elements i and j, where j = floor(r·(i+1) / 2^64). The draws r are 64-bit
/// words of Philox4x32-10 with key = seed: draw k = n-1-i is taken from the block with counter (floor(k/2), epoch, 0, 0x53485546), as
/// X0 + 2^32·X1 when k is even and X2 + 2^32·X3 when k is odd. The last counter word ("SHUF") keeps these numbers apart from other uses
/// of the same seed. The bias of each draw is below n/2^64.
/// <para>
/// For n = 10: seed 0, epoch 0 gives 1 7 6 2 5 9 0 4 8 3; seed 0, epoch 1 gives 4 0 7 5 3 6 1 2 9 8; seed 42, epoch 0 gives
/// 2 4 0 1 6 9 3 5 8 7.
/// </para>
/// </remarks>
/// <param name="Seed">The run's seed.</param>
/// <param name="Epoch">The epoch, counted from 0.</param>
public readonly record struct EpochOrder(ulong Seed, int Epoch)
{
    private const uint ShuffleStream = 0x53485546;

    /// <summary>Writes the permutation of 0…n-1, n being the span's length. Allocates nothing.</summary>
    /// <param name="order">Receives the sample indices in visiting order.</param>
    public void Fill(Span<int> order)
    {
        for (var i = 0; i < order.Length; i++)
            order[i] = i;

        ulong pending = 0;
        for (var i = order.Length - 1; i > 0; i--)
        {
            var draw = (uint)(order.Length - 1 - i);
            ulong random;
            if (draw % 2 == 0)
            {
                var (x0, x1, x2, x3) = Philox4x32.Block(draw / 2, (uint)Epoch, 0, ShuffleStream, Seed);
                random = x0 | ((ulong)x1 << 32);
                pending = x2 | ((ulong)x3 << 32);
            }
            else
            {
                random = pending;
            }

            var j = (int)Math.BigMul(random, (ulong)i + 1, out _);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }
}
